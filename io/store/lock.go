package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// Lock takes the folder root for this process, so that two runs never write
// to the same place. It does not wait: if another run holds root, the error says so, with
// its process number if known. The system frees the lock when the process
// ends, however it ends; release frees it earlier and may be called twice.
func Lock(root string) (release func() error, err error) {
	if err := makeFolders(root); err != nil {
		return nil, err
	}
	name := filepath.Join(root, reserved+"lock")
	lock := flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fault("lock", name, err)
	}
	if !ok {
		return nil, fmt.Errorf("store: another run%s holds %s: wait for it to end, or choose another --out", holder(name), root)
	}
	if err := os.WriteFile(name, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o666); err != nil {
		lock.Close()
		return nil, fault("lock", name, err)
	}
	return func() error { return fault("unlock", name, lock.Close()) }, nil
}

// holder is " (process N)", or nothing if the lock file does not tell.
func holder(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}
