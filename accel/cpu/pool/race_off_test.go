//go:build !race

package pool

// raceDetector: see race_on_test.go.
const raceDetector = false
