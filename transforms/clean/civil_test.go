package clean

import (
	"testing"
	"time"
)

// TestCivil compares with package time over every day of years -1 to 2801, two
// Gregorian cycles of 400 years on each side of 2000 among them.
func TestCivil(t *testing.T) {
	at := time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)
	for ; at.Year() < 2801; at = at.AddDate(0, 0, 1) {
		days := floorDiv(at.Unix(), 86_400)
		year, month, day := at.Date()
		if got := daysFromCivil(year, int(month), day); got != days {
			t.Fatalf("daysFromCivil(%v): got %d, want %d", at, got, days)
		}
		if y, m, d := civilFromDays(days); y != year || m != int(month) || d != day {
			t.Fatalf("civilFromDays(%d): got %d-%d-%d, want %v", days, y, m, d, at)
		}
		if got, want := weekday(days), int64((at.Weekday()+6)%7+1); got != want {
			t.Fatalf("weekday(%v): got %d, want %d", at, got, want)
		}
	}
}

func TestDaysIn(t *testing.T) {
	for _, year := range []int{1900, 2000, 2023, 2024} {
		for month := 1; month <= 12; month++ {
			want := time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
			if got := daysIn(year, month); got != want {
				t.Errorf("daysIn(%d, %d): got %d, want %d", year, month, got, want)
			}
		}
	}
}
