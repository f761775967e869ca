package server

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
)

// readEpoch returns the highest epoch that was seen of the grain in d; 0 for
// grains that come from an earlier server.
func readEpoch(d *dir) (int64, error) {
	data, err := d.readFile(fileEpoch, 64)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		// The host died, or the disk was full, between making the file and its
		// first record; afterwards it never shrinks. Nothing was promised yet.
		return 0, nil
	}
	epoch, err := strconv.ParseInt(text, 10, 64)
	if err != nil || epoch < 0 {
		// To guess here could let a server back in that was cut off.
		return 0, fmt.Errorf("epoch file says %.30q", text)
	}
	return epoch, nil
}

// writeEpoch records a new epoch. It overwrites a record of fixed length in
// place and waits for the disk: a power cut leaves the old or the new number.
func writeEpoch(d *dir, epoch int64) error {
	f, err := d.open(fileEpoch, unix.O_WRONLY|unix.O_CREAT, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%020d\n", epoch); err != nil {
		return err
	}
	return unix.Fdatasync(int(f.Fd()))
}

// fence lets a call pass whose lease is as new as the newest that was seen,
// and records a newer one.
func fence(d *dir, grain sandstorm.GrainID, epoch int64) error {
	if epoch < 0 {
		return sandstorm.Errorf(sandstorm.Invalid, "host.request", "epoch %d", epoch)
	}
	seen, err := readEpoch(d)
	if err != nil {
		return err
	}
	if epoch < seen {
		return sandstorm.Errorf(sandstorm.Fenced, "grain.fenced", "grain %s: epoch %d is over, it is at %d", grain, epoch, seen)
	}
	if epoch > seen {
		return writeEpoch(d, epoch)
	}
	return nil
}
