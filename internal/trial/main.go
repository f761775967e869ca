package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/server"
)

// Grains of a trial get user ids that no server's grains have by default.
const (
	firstUID = 2_900_000
	uids     = 1000
)

// Main must be the first call of every program that calls Run. In a process that
// Run started it is the host process and returns true when that has ended; in
// all others it returns false at once.
func Main() bool {
	if len(os.Args) != 4 || os.Args[1] != hostArgument {
		return false
	}
	if err := beHost(os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return true
}

// beHost is the host process of a trial, on a directory, for as long as its
// parent lives.
func beHost(dir, parent string) error {
	pid, err := strconv.Atoi(parent)
	if err != nil || !isOurs(dir) {
		return fmt.Errorf("%s is not for people to call", hostArgument)
	}
	if err := server.Enter(dir); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil || os.Getppid() != pid {
		return errors.New("the trial has ended already")
	}
	go endWith(pidfd, dir)
	return server.Run(context.Background(), server.Options{
		DataDir: dir, FirstUID: firstUID, UIDs: uids, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

// endWith ends the host process and its grains when the parent has ended,
// however that was.
func endWith(parent int, dir string) {
	for !waitProcess(parent, time.Hour) {
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	client, err := host.Dial(ctx, host.SocketPath(dir))
	if err == nil {
		err = client.Shutdown(ctx, true)
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		os.Exit(1)
	}
}
