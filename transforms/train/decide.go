package train

// Decide looks at the rounds of a phase in order, round 0 first, and says
// which round is the best so far and whether training is over: the last round
// was reached, or patience rounds passed without a better validation loss.
// Rounds after the one that ended it are ignored, so that the result does not
// depend on how many rounds were submitted at once. Of equal rounds the first
// is best; round 0, which nothing was learned in, never is.
func Decide(rounds []Manifest, maxRounds, patience int) (best int, last int, over bool) {
	for i, m := range rounds {
		if i == 0 {
			continue
		}
		last = i
		if best == 0 || m.ValLoss < rounds[best].ValLoss {
			best = i
		}
		if m.Round >= maxRounds || m.Round-rounds[best].Round >= patience {
			return best, last, true
		}
	}
	return best, last, false
}
