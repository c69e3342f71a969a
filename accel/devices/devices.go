// Package devices opens an accel.Device by name. It stands apart from package
// accel because every device imports accel.
package devices

import (
	"fmt"
	"strings"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
)

// Names lists the devices of this binary.
func Names() []string { return []string{"cpu"} }

// Open returns the device of a name; "" is cpu.
func Open(name string) (accel.Device, error) {
	switch name {
	case "", "cpu":
		return cpu.New(), nil
	}
	return nil, fmt.Errorf("devices.Open: no device %q; this binary has %s", name, strings.Join(Names(), ", "))
}
