// Command spk is the packager's tool: it makes, checks and tries Sandstorm
// packages. All it does is in package spktool, which is `sandstorm spk` as well.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/sandstorm-go/sandstorm/internal/spktool"
	"github.com/sandstorm-go/sandstorm/internal/trial"
)

// release is set by the linker.
var release = "development"

func main() {
	if trial.Main() { // this process is the host of a trial
		return
	}
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	err := spktool.New(release).ExecuteContext(ctx)
	stop()
	os.Exit(spktool.Report(os.Stderr, "spk", err))
}
