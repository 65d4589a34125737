package csvfile

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// letters counts what tells UTF-8 from Windows-1252, over a whole file.
type letters struct {
	valid     int // sequences of several bytes that are UTF-8
	invalid   int // bytes that are not
	undefined int // bytes that are neither UTF-8 nor Windows-1252
}

func (l *letters) add(cell string) {
	for i := 0; i < len(cell); {
		if cell[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(cell[i:])
		if r != utf8.RuneError || size > 1 {
			l.valid++
		} else {
			l.invalid++
			switch cell[i] {
			case 0x81, 0x8d, 0x8f, 0x90, 0x9d:
				l.undefined++
			}
		}
		i += size
	}
}

// windows1252 tells whether the file is in Windows-1252: where it is UTF-8
// with a few broken rows, the valid letters outnumber the broken ones.
func (l letters) windows1252() bool {
	return l.invalid > l.valid && l.undefined == 0
}

// fromWindows1252 decodes a cell; every byte has a meaning.
func fromWindows1252(cell string) string {
	ascii := true
	for i := range len(cell) {
		ascii = ascii && cell[i] < utf8.RuneSelf
	}
	if ascii {
		return cell
	}
	runes := make([]rune, len(cell))
	for i := range len(cell) {
		runes[i] = charmap.Windows1252.DecodeByte(cell[i])
	}
	return string(runes)
}
