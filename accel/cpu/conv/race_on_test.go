//go:build race

package conv

// raceDetector reports that sync.Pool drops some of what it is given.
const raceDetector = true
