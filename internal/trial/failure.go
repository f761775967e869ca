package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/devfs"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// Reason is what sort of trouble a trial met.
type Reason int

// The reasons. The first three say nothing about the app.
const (
	NoFUSE    Reason = iota + 1 // the machine does not let this user use FUSE
	NoSandbox                   // the machine gives no sandbox
	RawAPI                      // the app speaks Cap'n Proto, which a trial cannot
	NoProgram                   // the program, or what it is to be run by, is not in the package
	Ended                       // the app ended by itself
	Silent                      // the app never listened on its port
	Broken                      // the app answered with an error of its own
)

// Failure is why a trial failed, in a person's words.
type Failure struct {
	Reason Reason
	Text   string // what is wrong, and what can be done
	Log    string // the last lines of the app's log
	Err    error  // the cause, if there is more to say
}

// Error is everything that is known.
func (f *Failure) Error() string {
	s := f.Text
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	if f.Log != "" {
		s += "\nThe last lines of its log:\n  " + strings.ReplaceAll(f.Log, "\n", "\n  ")
	}
	return s
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Is makes errors.Is(err, &Failure{Reason: R}) ask for the reason.
func (f *Failure) Is(target error) bool {
	want, ok := target.(*Failure)
	return ok && want.Reason == f.Reason && want.Text == "" && want.Err == nil
}

func devFailure(err error) error {
	var known *sandstorm.Error
	if errors.As(err, &known) && known.Key == "dev.no-fuse" {
		return &Failure{
			Reason: NoFUSE, Err: err,
			Text: "which files the app uses cannot be seen here, because this user may not use /dev/fuse",
		}
	}
	return err
}

// startFailure explains why the host could not start the app.
func (t *trial) startFailure(action int, err error) error {
	var known *sandstorm.Error
	var start *host.StartError
	if !errors.As(err, &start) {
		return err
	}
	errors.As(err, &known)
	switch {
	case known != nil && known.Key == "grain.raw-api":
		return &Failure{Reason: RawAPI, Text: "the app does not use the HTTP bridge, and only such apps can be tried out"}
	case start.Step == "execute the command":
		return t.programFailure(action, start)
	case known != nil && strings.HasPrefix(known.Key, "grain."):
		return &Failure{Reason: NoProgram, Text: "the app does not start with the command " + t.command(action), Err: err}
	}
	return &Failure{Reason: NoSandbox, Text: "the sandbox cannot be built on this machine", Err: err}
}

// programFailure tells a program that is missing from one that cannot run.
func (t *trial) programFailure(action int, start *host.StartError) error {
	f := &Failure{Reason: NoProgram}
	name := t.program(action)
	entry, err := t.resolve(strings.TrimPrefix(name, "/"))
	switch {
	case err != nil:
		f.Text = fmt.Sprintf("the command is %s, but the package has no %s; is it in the source map?", t.command(action), name)
	case entry.Dir:
		f.Text = fmt.Sprintf("the command is %s, but %s is a directory", t.command(action), name)
	case start.Errno == "EACCES":
		f.Text = fmt.Sprintf("%s is in the package, but it, or what runs it, is not executable", name)
		if entry.Source != "" {
			f.Text += "; chmod +x " + entry.Source
		}
	case start.Errno == "ENOEXEC":
		f.Text = fmt.Sprintf("%s is no program that this machine can execute", name)
	case start.Errno != "ENOENT":
		f.Text, f.Err = fmt.Sprintf("%s cannot be executed", name), start
	default:
		f.Text = fmt.Sprintf("%s is in the package, but what it needs to run is not: the interpreter that its first line names, or the loader of shared libraries", name)
	}
	return f
}

// resolve looks at a path of the package.
func (t *trial) resolve(path string) (*devfs.Entry, error) {
	if t.Tree != nil {
		return t.Tree.Resolve(path)
	}
	_, err := os.Lstat(filepath.Join(t.copy.root, path))
	return &devfs.Entry{}, err
}

// argv is the command without the bridge.
func (t *trial) argv(action int) []string {
	var argv []string
	if m := &t.pkg.Manifest; action == host.ActionContinue && m.Continue != nil {
		argv = m.Continue.Argv
	} else {
		for i := range m.Actions {
			if m.Actions[i].Index == action {
				argv = m.Actions[i].Command.Argv
			}
		}
	}
	if len(argv) > 2 && strings.HasSuffix(argv[0], "sandstorm-http-bridge") {
		argv = argv[2:]
		if argv[0] == "--" {
			argv = argv[1:]
		}
	}
	return argv
}

func (t *trial) command(action int) string { return fmt.Sprintf("%q", t.argv(action)) }

func (t *trial) program(action int) string {
	if argv := t.argv(action); len(argv) > 0 {
		return argv[0]
	}
	return "program"
}

// endFailure says how the app ended. When completes the sentence.
func (r *run) endFailure(when string) error {
	how := "ended"
	switch x := r.t.exits.why(r.status.Instance); {
	case x.Signal != "":
		how = "was killed by " + x.Signal
	case !x.Unknown && !x.Stopped:
		how = fmt.Sprintf("ended with status %d", x.Code)
	}
	return &Failure{Reason: Ended, Text: fmt.Sprintf("the app %s %s", how, when), Log: r.logTail()}
}

// silentFailure says where the app listens instead, if it does.
func (r *run) silentFailure() error {
	port := bridgePort(r.t, r.action)
	text := fmt.Sprintf("the app did not listen on port %s within %v", port, r.t.Timeout)
	if ports := listening(r.status.PID); len(ports) > 0 {
		text += fmt.Sprintf(", but it does on %s; either the app or the command in the package definition must change", strings.Join(ports, " and "))
	}
	return &Failure{Reason: Silent, Text: text, Log: r.logTail()}
}

// bridgePort is the port that the command names.
func bridgePort(t *trial, action int) string {
	m := &t.pkg.Manifest
	i := slices.IndexFunc(m.Actions, func(a sandstorm.Action) bool { return a.Index == action })
	switch {
	case action == host.ActionContinue && m.Continue != nil && len(m.Continue.Argv) > 1:
		return m.Continue.Argv[1]
	case i >= 0 && len(m.Actions[i].Command.Argv) > 1:
		return m.Actions[i].Command.Argv[1]
	}
	return "of its command"
}

// Bounds of what a failure shows of the log.
const (
	tailBytes = 8 << 10
	tailLines = 20
)

func (r *run) logTail() string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	log, err := r.t.host.client.GrainLog(ctx, r.status.Grain, tailBytes, false)
	if err != nil {
		return ""
	}
	defer log.Close()
	b, _ := io.ReadAll(io.LimitReader(log, tailBytes))
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
