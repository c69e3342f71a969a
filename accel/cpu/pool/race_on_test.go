//go:build race

package pool

// raceDetector reports that sync.Pool drops some of what it is given.
const raceDetector = true
