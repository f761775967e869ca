package server

import (
	"encoding/json"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// record is run.json: what a later host needs to take a running grain over. It
// is written before the start, without the process, and again after it.
type record struct {
	Instance  string              `json:"instance"`
	Package   sandstorm.PackageID `json:"package"`
	Epoch     int64               `json:"epoch"`
	Port      int                 `json:"port"`
	Started   time.Time           `json:"started"`
	PID       int                 `json:"pid,omitempty"`
	StartTime uint64              `json:"startTime,omitempty"` // of the process, in clock ticks since boot
}

func (r *record) status(id sandstorm.GrainID) host.GrainStatus {
	return host.GrainStatus{
		Grain: id, Epoch: r.Epoch, Instance: r.Instance,
		Package: r.Package, PID: r.PID, Started: r.Started,
	}
}

func writeRecord(d *dir, r *record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return d.replaceFile(fileRun, data)
}

func readRecord(d *dir) (*record, error) {
	data, err := d.readFile(fileRun, 64<<10)
	if err != nil {
		return nil, err
	}
	r := new(record)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, err
	}
	return r, nil
}

// tryLock takes the grain's lock; false if a grain that runs holds it. The
// lock belongs to the open file, which the grain's first process shares: it
// ends with the grain, whatever happens to the host.
func tryLock(fd int) (bool, error) {
	for {
		err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		switch err {
		case nil:
			return true, nil
		case unix.EWOULDBLOCK:
			return false, nil
		case unix.EINTR:
		default:
			return false, err
		}
	}
}
