//go:build linux && amd64

package sandbox

import (
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/host"
)

const helperEnv = "SANDBOX_TEST_HELPER"

func helper() int { return 0 }

func TestExit(t *testing.T) {
	l := newLauncher(t)
	for _, test := range []struct {
		args []string
		want host.Exit
	}{
		{[]string{"exit", "0"}, host.Exit{}},
		{[]string{"exit", "3"}, host.Exit{Code: 3}},
		{[]string{"exit", "139"}, host.Exit{Code: 139}},
		{[]string{"signal", "15"}, host.Exit{Signal: "SIGTERM"}},
		{[]string{"signal", "9"}, host.Exit{Signal: "SIGKILL"}},
		{[]string{"orphan"}, host.Exit{Code: 9}},
	} {
		_, exit := newBox(t, l, test.args...).output()
		if exit != test.want {
			t.Errorf("%v: %+v", test.args, exit)
		}
	}
}
