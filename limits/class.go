package limits

import (
	"fmt"
	"strings"
)

// Class says who waits for an operation. Smaller is more urgent, so the less
// urgent of two classes is their max.
type Class int

// The classes, most urgent first.
const (
	Control     Class = iota // nobody's time may be lost: stopping a timer
	Interactive              // a person looks at the screen
	Report                   // a person waits for an evaluation
	Background               // nobody waits
	numClasses
)

var classNames = [numClasses]string{"control", "interactive", "report", "background"}

// String returns the class's name in lower case, as logs, metrics and answers
// carry it.
func (c Class) String() string {
	if c < 0 || c >= numClasses {
		return fmt.Sprintf("class(%d)", int(c))
	}
	return classNames[c]
}

// ParseClass is the inverse of String; any other name is an error.
func ParseClass(name string) (Class, error) {
	for c, n := range classNames {
		if n == name {
			return Class(c), nil
		}
	}
	return Interactive, fmt.Errorf("unknown class %q: want control, interactive, report or background", name)
}

// declaredClass reads a value of the schema's enum: CONTROL, INTERACTIVE, REPORT
// or BACKGROUND.
func declaredClass(name string) (Class, bool) {
	class, err := ParseClass(strings.ToLower(name))
	return class, err == nil && name == strings.ToUpper(name)
}

// ReportPoints is the price above which a single root field makes its
// operation a report, whatever it is called.
const ReportPoints = 50

// Classify returns the class that an operation of this price runs under.
//
//   - Report, if a root field costs more than ReportPoints or is declared
//     @class(name: REPORT);
//   - Background, if a root field is declared so;
//   - Control, if every root field is declared so;
//   - else Interactive.
//
// The least urgent of these wins, so a cheap field cannot carry a dear one past
// the queue. asked is the class the caller wishes for; it can only lower the
// priority. Pass Control where the caller has no wish.
func Classify(p Price, asked Class) Class {
	class, roots := Control, 0
	for i := range p.Fields {
		if !p.Fields[i].Root {
			continue
		}
		roots++
		class = max(class, rootClass(p.Fields[i]))
	}
	if roots == 0 {
		class = Interactive
	}
	return max(class, asked)
}

// rootClass is the class of an operation that holds this root field alone.
func rootClass(f FieldPrice) Class {
	if f.Expected > ReportPoints {
		return max(f.Class, Report)
	}
	return f.Class
}
