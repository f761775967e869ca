//go:build linux

// Command start compares how long it takes until a trivial server runs in a
// sandbox: ours, bubblewrap's, crun's and runc's, against the bare program.
// It prints a table, and at the end one line for each peer:
//
//	bench-start: ours/bubblewrap = 0.20 (0.19–0.22 of 5), target 1.0
//
// The ratio is of overheads: what the sandbox adds to the median time of the
// bare program, from the start to the first byte that it writes once it listens.
// All programs are measured in turn, in batches; the range is that of the batches.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/host/sandbox"
	"golang.org/x/sys/unix"
)

// settle is the time between two starts: the kernel takes namespaces apart in
// the background, and our launcher prepares the next one.
const settle = 25 * time.Millisecond

func main() {
	batches := flag.Int("batches", 5, "number of batches, each giving one ratio")
	rounds := flag.Int("rounds", 11, "starts of each program in a batch")
	install := flag.Bool("install", true, "as root, install missing peers from Debian packages")
	flag.Parse()
	if err := run(*batches, *rounds, *install); err != nil {
		fmt.Fprintln(os.Stderr, "bench-start:", err)
		os.Exit(1)
	}
}

func run(batches, rounds int, install bool) error {
	if batches < 1 || rounds < 1 {
		return fmt.Errorf("batches and rounds must be positive")
	}
	if install && os.Geteuid() == 0 {
		installPeers()
	}
	if sandbox.NeedsUserNamespace() {
		return sandbox.ReexecInUserNamespace()
	}
	if again, err := unifiedCgroups(); again {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-start-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	f, err := newFixture(dir)
	if err != nil {
		return err
	}
	defer f.close()
	programs := f.programs()
	for _, p := range programs {
		// Once for warm caches, and to find out what does not work here.
		if _, err := measure(p.start); err != nil {
			p.broken = err
			if !p.peer {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	began := time.Now()
	for b := range batches {
		for r := range rounds {
			// Each in turn is the first, so that nobody always follows the one
			// that leaves the most work to the kernel.
			for i := range programs {
				programs[(i+r)%len(programs)].sample(b)
				time.Sleep(settle)
			}
		}
	}
	report(programs, batches, time.Since(began))
	return nil
}

// unifiedCgroups runs this program once more in a mount namespace where the
// cgroup hierarchy is version 2 alone: crun refuses machines that have both.
// again is false if that is not needed or this is the second run.
func unifiedCgroups() (again bool, err error) {
	const marker = "BENCH_START_MOUNTS"
	const root = "/sys/fs/cgroup"
	if os.Getenv(marker) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return true, err
		}
		// If it fails, the engines will say what they miss.
		_ = unix.Mount("cgroup2", root, "cgroup2", 0, "")
		return false, nil
	}
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil || st.Type == unix.CGROUP2_SUPER_MAGIC {
		return false, nil
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), marker+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWCGROUP}
	return true, cmd.Run()
}

// installPeers makes a best effort; what is missing afterwards is reported.
func installPeers() {
	for program, pkg := range map[string]string{"bwrap": "bubblewrap", "crun": "crun", "runc": "runc"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		cmd := exec.Command("apt-get", "install", "-y", "-q", "--no-install-recommends", pkg)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "bench-start: install %s: %v\n%s", pkg, err, out)
		}
	}
}
