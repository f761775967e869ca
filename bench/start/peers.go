//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// devices that every box has, with what they are (as ours: random is urandom).
var devices = map[string]string{
	"/dev/null": "/dev/null", "/dev/zero": "/dev/zero", "/dev/urandom": "/dev/urandom", "/dev/random": "/dev/urandom",
}

// bubblewrap makes a box like ours, but has no filter and leaves names alone.
func (f *fixture) bubblewrap(out *os.File) (func() error, error) {
	path, err := exec.LookPath("bwrap")
	if err != nil {
		return nil, err
	}
	argv := []string{
		"bwrap", "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox",
		"--cap-drop", "ALL", "--clearenv", "--new-session", "--chdir", "/",
		"--ro-bind", f.root, "/", "--bind", f.data, "/var", "--tmpfs", "/tmp", "--tmpfs", "/dev",
		"--ro-bind", "/proc/cpuinfo", "/proc/cpuinfo",
	}
	for target, source := range devices {
		argv = append(argv, "--dev-bind", source, target)
	}
	argv = append(argv, "--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--", "/payload")
	return execute(path, argv, out)
}

// oci runs a container engine on a bundle with the same box.
func (f *fixture) oci(engine string, flags ...string) starter {
	return func(out *os.File) (func() error, error) {
		path, err := exec.LookPath(engine)
		if err != nil {
			return nil, err
		}
		bundle := filepath.Join(f.dir, engine)
		if err := f.writeBundle(bundle); err != nil {
			return nil, err
		}
		f.next++
		argv := append([]string{engine, "--root", filepath.Join(f.dir, engine+"-state")}, flags...)
		argv = append(argv, "run", "--bundle", bundle, fmt.Sprintf("bench-start-%d-%d", os.Getpid(), f.next))
		return execute(path, argv, out)
	}
}

type ociMount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type,omitempty"`
	Source      string   `json:"source"`
	Options     []string `json:"options"`
}

// writeBundle writes config.json once.
func (f *fixture) writeBundle(bundle string) error {
	path := filepath.Join(bundle, "config.json")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(bundle, 0o755); err != nil {
		return err
	}
	bind := func(source, target string, options ...string) ociMount {
		return ociMount{target, "bind", source, append([]string{"bind", "nosuid"}, options...)}
	}
	tmpfs := []string{"nosuid", "nodev", "size=16m", "nr_inodes=4k", "mode=770"}
	mounts := []ociMount{
		bind(f.data, "/var", "rw", "nodev"),
		{"/tmp", "tmpfs", "tmpfs", tmpfs},
		{"/dev", "tmpfs", "tmpfs", []string{"nosuid", "noexec", "size=1m", "mode=755"}},
		{"/dev/shm", "tmpfs", "tmpfs", tmpfs},
	}
	for target, source := range devices {
		mounts = append(mounts, bind(source, target))
	}
	// Neither engine works without /proc, which our grains do not have.
	mounts = append(mounts, ociMount{"/proc", "proc", "proc", []string{"nosuid", "nodev", "noexec"}})
	var namespaces []map[string]string
	for _, n := range []string{"pid", "network", "ipc", "uts", "mount", "user"} {
		namespaces = append(namespaces, map[string]string{"type": n})
	}
	// Inside, 0 is needed by the engine itself; as root both map to free ids.
	ids := []map[string]int{{"containerID": 0, "hostID": 100000, "size": 65536}}
	uid := 1000
	if os.Getenv("SANDSTORM_IN_USERNS") != "" {
		ids, uid = []map[string]int{{"containerID": 0, "hostID": 0, "size": 1}}, 0
	}
	config := map[string]any{
		"ociVersion": "1.0.2", "hostname": "sandbox", "mounts": mounts,
		"root": map[string]any{"path": f.root, "readonly": true},
		"process": map[string]any{
			"args": []string{"/payload"}, "cwd": "/", "env": []string{}, "noNewPrivileges": true,
			"user": map[string]any{"uid": uid, "gid": uid},
		},
		"linux": map[string]any{
			"namespaces": namespaces, "uidMappings": ids, "gidMappings": ids,
		},
	}
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
