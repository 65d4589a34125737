package limits

import "github.com/vektah/gqlparser/v2/ast"

// defaultCycles finds input fields whose default leads back to themselves: an
// object that leaves such a field out would have no end.
type defaultCycles struct {
	schema  *ast.Schema
	types   map[string]bool               // that were walked
	filling map[*ast.FieldDefinition]bool // true while a field's default is followed, false after it
	found   func(t, f string, at *ast.Position)
}

func newDefaultCycles(schema *ast.Schema, found func(t, f string, at *ast.Position)) *defaultCycles {
	return &defaultCycles{schema, map[string]bool{}, map[*ast.FieldDefinition]bool{}, found}
}

// walk follows the defaults of an input type and of those within it.
func (d *defaultCycles) walk(name string) {
	def := d.schema.Types[name]
	if def == nil || def.Kind != ast.InputObject || d.types[name] {
		return
	}
	d.types[name] = true
	for _, f := range def.Fields {
		d.fill(def, f)
		d.walk(f.Type.Name())
	}
}

// fill follows what an object gets that leaves the field out.
func (d *defaultCycles) fill(t *ast.Definition, f *ast.FieldDefinition) {
	if f.DefaultValue == nil {
		return
	}
	open, known := d.filling[f]
	if open {
		d.found(t.Name, f.Name, f.Position)
	}
	if known {
		return
	}
	d.filling[f] = true
	d.value(f.Type, f.DefaultValue)
	d.filling[f] = false
}

func (d *defaultCycles) value(typ *ast.Type, v *ast.Value) {
	def := d.schema.Types[typ.Name()]
	if def == nil || def.Kind != ast.InputObject {
		return
	}
	switch v.Kind {
	case ast.ListValue:
		for _, item := range v.Children {
			d.value(typ, item.Value)
		}
	case ast.ObjectValue:
		for _, f := range def.Fields {
			if given := v.Children.ForName(f.Name); given != nil {
				d.value(f.Type, given)
			} else {
				d.fill(def, f)
			}
		}
	}
}
