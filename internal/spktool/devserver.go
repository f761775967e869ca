package spktool

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sandstorm-go/sandstorm/internal/config"
	"github.com/sandstorm-go/sandstorm/internal/control"
)

// devSocket finds the server to develop on: the one that was named, else one
// beside this program (`make run`), in the current folder, or installed.
func devSocket(named string) (string, error) {
	places := []string{"var", filepath.Dir(config.DefaultFile)}
	if exe, err := os.Executable(); err == nil {
		places = append([]string{filepath.Join(filepath.Dir(exe), "..", "var")}, places...)
	}
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", fmt.Errorf("--server %s: not found: %w", named, err)
		}
		places = []string{named}
	}
	for _, dir := range places {
		for _, data := range []string{dir, filepath.Join(dir, "var", "sandstorm"), filepath.Join(dir, "var")} {
			socket := control.DevSocket(data)
			if _, err := os.Stat(socket); err == nil || os.IsPermission(err) {
				return socket, nil
			}
		}
	}
	return "", fmt.Errorf("no server was found in %s. Start one with “make run” or “sandstorm dev”, or name its data directory with --server DIR",
		strings.Join(places, ", "))
}
