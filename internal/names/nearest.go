package names

import "strings"

// maxWord bounds the part of a word that is compared, so that a name of a
// million letters costs no more than a long one.
const maxWord = 200

// Nearest returns the candidate most like word, for "did you mean": the one
// the fewest insertions, deletions, replacements and swaps of neighbours away,
// letter case ignored. Among equals, the one nearest with letter case wins,
// then the first in byte order. It is "" only if there are no candidates.
func Nearest(word string, candidates []string) string {
	best, bestFolded, bestExact := "", -1, -1
	for _, c := range candidates {
		folded := distance(strings.ToLower(word), strings.ToLower(c))
		exact := distance(word, c)
		switch {
		case bestFolded >= 0 && folded > bestFolded:
			continue
		case folded == bestFolded && exact > bestExact:
			continue
		case folded == bestFolded && exact == bestExact && c >= best:
			continue
		}
		best, bestFolded, bestExact = c, folded, exact
	}
	return best
}

// distance is the restricted Damerau-Levenshtein distance of the first maxWord
// letters of a and b.
func distance(a, b string) int {
	x, y := letters(a), letters(b)
	before := make([]int, len(y)+1) // row i-2
	above := make([]int, len(y)+1)  // row i-1
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, above, row = above, row, before
		row[0] = i
		for j := 1; j <= len(y); j++ {
			replace := above[j-1]
			if x[i-1] != y[j-1] {
				replace++
			}
			row[j] = min(above[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(y)]
}

func letters(s string) []rune {
	if len(s) > 4*maxWord {
		s = s[:4*maxWord]
	}
	r := []rune(s)
	return r[:min(len(r), maxWord)]
}
