//go:build !race

package conv

// raceDetector: see race_on_test.go.
const raceDetector = false
