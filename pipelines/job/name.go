package job

import (
	"fmt"
	"path/filepath"
	"strings"
)

// defaultName names a job after its folder, or after its file if that is not a job.yaml.
func defaultName(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	if filepath.Base(file) == FileName {
		dir, err := filepath.Abs(filepath.Dir(file))
		if err == nil {
			name = filepath.Base(dir)
		}
	}
	return cleanName(name)
}

// cleanName makes a folder's name fit to be a job's.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if checkNameRune(r) {
			return r
		}
		return '-'
	}, s)
	if s = strings.Trim(s, "-."); s == "" {
		return "job"
	}
	return s[:min(len(s), maxName)]
}

const maxName = 64

func checkNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
}

// checkName checks a name that is to be part of a path.
func checkName(s string) error {
	if s == "" || len(s) > maxName || strings.Trim(s, ".-") == "" || s[0] == '.' || s[0] == '-' {
		return fmt.Errorf("want 1 to %d letters, digits, '-', '_' or '.', the first a letter or digit, got %q", maxName, s)
	}
	for _, r := range s {
		if !checkNameRune(r) {
			return fmt.Errorf("want letters, digits, '-', '_' or '.', got %q in %q", r, s)
		}
	}
	return nil
}
