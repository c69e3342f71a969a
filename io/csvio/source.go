package csvio

import (
	"bytes"
	"fmt"
)

const byteOrder = "\ufeff"

// skipByteOrder passes over a byte order mark at the start of the text.
func (s *scanner) skipByteOrder() error {
	s.fill()
	switch {
	case bytes.HasPrefix(s.buf, []byte(byteOrder)):
		s.pos += len(byteOrder)
		s.offset += int64(len(byteOrder))
	case bytes.HasPrefix(s.buf, []byte("\xff\xfe")), bytes.HasPrefix(s.buf, []byte("\xfe\xff")):
		return fmt.Errorf("line 1: the file is UTF-16: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)")
	}
	return nil
}
