package onnx

import "testing"

// Models of old operator sets give what ONNX Runtime gives; see
// testdata/make_upgrades.py.
func TestUpgrades(t *testing.T) {
	c, err := openCases("testdata/upgrades.zip")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range c.dirs {
		if o := c.run(dir); o.result != passed {
			t.Errorf("%s: %s: %s", dir, o.result, o.reason)
		}
	}
}
