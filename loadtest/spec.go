package loadtest

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

//go:embed scenarios/*.yaml
var builtIn embed.FS

// BuiltIn lists the names of the scenarios that surge brings along.
func BuiltIn() []string {
	files, err := fs.Glob(builtIn, "scenarios/*.yaml")
	if err != nil {
		panic(err) // the pattern is fixed
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".yaml")
	}
	return files
}

// spec is a scenario as its file says it: what is not known before the server
// has been measured is still open.
type spec struct {
	reader
	raw []byte
	dir string // that relative paths count from

	name       string
	about      string
	extend     int // how often an undecided phase is sent again
	quiet      time.Duration
	classes    map[Class]*classSpec
	order      []Class // of the classes, as written
	data       map[string]*dataFile
	operations map[string]*Operation
	places     map[*Operation]ast.Node // where those of the file stand
	mixes      map[string][]Weighted
	phases     []*phaseSpec
	recover    *Recover
}

// classSpec is what is promised to a class.
type classSpec struct {
	patience   Patience
	objectives []Objective
}

// phaseSpec is a phase whose rates may be open.
type phaseSpec struct {
	at      ast.Node
	name    string
	length  time.Duration
	burst   time.Duration
	judge   string
	streams []*streamSpec
	served  []servedSpec

	attempts float64 // an operation that clients who reconnect may need; 0: any number
	wasted   float64 // share of the server's work for them that may be in vain; 0: all of it
}

// servedSpec promises that a share of the clients of a kind are done in time.
type servedSpec struct {
	kind   string
	share  float64
	within time.Duration
	ideal  float64 // or so many times the time that the server needs for all that was answered
}

// streamSpec is a stream whose rate may be open.
type streamSpec struct {
	at       ast.Node
	class    Class
	mix      []Weighted
	each     []*Operation
	rate     *rateSpec
	even     bool
	clients  []Share
	patience Patience // zero: the class's

	number int           // of clients with connections of their own, or
	work   time.Duration // so many that the server works so long for them
	within time.Duration // in which they come
}

// loadSpec reads a scenario: one of the built-in ones by its name, or a file.
func loadSpec(name string) (*spec, error) {
	if slices.Contains(BuiltIn(), name) {
		text, err := builtIn.ReadFile("scenarios/" + name + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("read the scenario: %w", err)
		}
		return parseSpec(name+".yaml", ".", text)
	}
	if !strings.ContainsAny(name, "./") {
		return nil, fmt.Errorf("there is no scenario %q%s; a file is named with its ending", name, suggest(name, BuiltIn()))
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the scenario: %w", err)
	}
	return parseSpec(name, filepath.Dir(name), text)
}

// parseSpec reads a scenario's text. Relative paths in it count from dir.
func parseSpec(file, dir string, text []byte) (*spec, error) {
	s := &spec{
		reader: reader{file: file}, raw: text, dir: dir, extend: 3,
		classes: map[Class]*classSpec{}, data: map[string]*dataFile{}, operations: map[string]*Operation{}, places: map[*Operation]ast.Node{}, mixes: map[string][]Weighted{},
	}
	for _, op := range catalog {
		s.operations[op.Name] = op
	}
	if root := s.parse(text); root != nil {
		s.read(root)
	}
	return s, s.err
}

// read reads the file's parts in the order in which they build on each other,
// whatever their order in the file.
func (s *spec) read(root ast.Node) {
	parts := map[string]ast.Node{}
	keep := func(name string) field { return field{name, func(n ast.Node) { parts[name] = n }} }
	s.object(root, "a scenario",
		field{"version", func(n ast.Node) { s.whole(n, "version", 1, 1) }},
		field{"name", func(n ast.Node) { s.name = s.text(n, "name") }},
		field{"about", func(n ast.Node) { s.about = s.text(n, "about") }},
		field{"extend", func(n ast.Node) { s.extend = s.whole(n, "extend", 0, 3) }},
		field{"quiet", func(n ast.Node) { s.quiet = s.duration(n, "quiet") }},
		keep("classes"), keep("data"), keep("operations"), keep("mixes"), keep("phases"), keep("recover"))
	for _, part := range []struct {
		name string
		read func(ast.Node)
		must bool
	}{
		{"classes", s.readClasses, true},
		{"data", s.readData, false},
		{"operations", s.readOperations, false},
		{"mixes", s.readMixes, false},
		{"phases", s.readPhases, true},
		{"recover", s.readRecover, false},
	} {
		switch node := parts[part.name]; {
		case node != nil:
			part.read(node)
		case part.must:
			s.fail(root, "a scenario needs %s", part.name)
		}
	}
	if s.name == "" {
		s.fail(root, "a scenario needs a name")
	}
	if s.recover == nil && !slices.ContainsFunc(s.phases, s.promised) {
		s.fail(root, "nothing is promised that a server breaks which answers nothing, and what always passes proves nothing: give a class that is sent an slo with ok, answered or a percentile")
	}
}

func (s *spec) readData(node ast.Node) {
	s.each(node, "data", func(name string, _, v ast.Node) {
		data, err := readData(s.text(v, "the path of data"), s.dir)
		if err != nil {
			s.fail(v, "%v", err)
			return
		}
		s.data[name] = data
	})
}

// readOperations reads operations beside the built-in ones, or in their place.
func (s *spec) readOperations(node ast.Node) {
	s.each(node, "operations", func(name string, at, v ast.Node) {
		op := &Operation{Name: name}
		s.object(v, "an operation",
			field{"class", func(n ast.Node) { op.Class = s.class(n) }},
			field{"document", func(n ast.Node) { op.Document = s.text(n, "document") }},
			field{"file", func(n ast.Node) { op.Document = s.fileText(n) }},
			field{"variables", func(n ast.Node) { op.Variables = s.variables(n) }},
			field{"roles", func(n ast.Node) { op.Roles = s.texts(n, "roles") }},
			field{"expect", func(n ast.Node) { op.Root = s.text(n, "expect") }},
			field{"rejectable", func(n ast.Node) { op.Rejectable = s.flag(n, "rejectable") }})
		if op.Class == "" || op.Document == "" {
			s.fail(at, "operation %s needs a class and a document (or the file that holds it)", name)
		}
		s.operations[name], s.places[op] = op, at
	})
}

// fileText reads a text file named in the scenario.
func (s *spec) fileText(node ast.Node) string {
	path := s.text(node, "file")
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.dir, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		s.fail(node, "%v", err)
	}
	return string(text)
}

func (s *spec) readMixes(node ast.Node) {
	s.each(node, "mixes", func(name string, _, v ast.Node) { s.mixes[name] = s.weights(v) })
}

// weights reads operations with their shares of a mix.
func (s *spec) weights(node ast.Node) (list []Weighted) {
	s.each(node, "a mix", func(name string, at, v ast.Node) {
		if op := s.operation(at, name); op != nil {
			list = append(list, Weighted{op, s.whole(v, "the weight of "+name, 1, 1_000_000)})
		}
	})
	return list
}

func (s *spec) operation(at ast.Node, name string) *Operation {
	op := s.operations[name]
	if op == nil {
		known := make([]string, 0, len(s.operations))
		for name := range s.operations {
			known = append(known, name)
		}
		s.fail(at, "unknown operation %q%s", name, suggest(name, known))
	}
	return op
}

// class reads the name of a class that the scenario describes.
func (s *spec) class(node ast.Node) Class {
	known := make([]string, 0, len(s.order))
	for _, class := range s.order {
		known = append(known, string(class))
	}
	return Class(s.oneOf(node, "class", known...))
}

func (s *spec) readRecover(node ast.Node) {
	s.recover = &Recover{}
	s.object(node, "recover",
		field{"phase", func(n ast.Node) { s.recover.Phase = s.phaseName(n) }},
		field{"class", func(n ast.Node) { s.recover.Class = s.class(n) }},
		field{"within", func(n ast.Node) { s.recover.Within = s.duration(n, "within") }})
	if s.recover.Phase == "" || s.recover.Class == "" || s.recover.Within == 0 {
		s.fail(node, "recover needs a phase, a class and within")
	}
	if s.classes[s.recover.Class] != nil && !s.demands(s.recover.Class) {
		s.fail(node, "class %s has nothing to be back in bound of: give it an slo with ok, answered or a percentile", s.recover.Class)
	}
	for _, p := range s.phases {
		if p.name == s.recover.Phase && p.length < s.recover.Within+absorbedWindows*absorbedWindow {
			s.fail(node, "phase %s must last %v, so that %v in bound can follow %v", p.name, s.recover.Within+absorbedWindows*absorbedWindow, absorbedWindows*absorbedWindow, s.recover.Within)
		}
	}
}

func (s *spec) phaseName(node ast.Node) string {
	var known []string
	for _, p := range s.phases {
		known = append(known, p.name)
	}
	return s.oneOf(node, "phase", known...)
}
