package main

import (
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// proxyEnv is what apps find in their environment (sandbox.md §3). Apps that
// honour it do not try to reach the network, which is not there.
var proxyEnv = []string{
	"http_proxy=http://127.0.0.1:15239/",
	"HTTP_PROXY=http://127.0.0.1:15239/",
	"no_proxy=localhost,127.0.0.1",
}

// rpcDescriptor is where a server that runs the bridge inside the grain puts its
// Cap'n Proto connection.
const rpcDescriptor = 3

func serverWantsBridge() bool {
	var st syscall.Stat_t
	return syscall.Fstat(rpcDescriptor, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFSOCK
}

// passedOn are the signals that mean something to an app. The rest is for this
// process alone (SIGCHLD, the runtime's SIGURG) or cannot be caught.
var passedOn = []os.Signal{
	syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGTSTP,
}

// run runs the command to its end and returns the exit status.
func run(args arguments) int {
	// Before the child exists, so that no signal is lost.
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, passedOn...)

	syscall.CloseOnExec(rpcDescriptor)
	child, err := start(args.command, environment(os.Environ()))
	if err != nil {
		complain("cannot run " + args.command[0] + ": " + err.Error())
		return 127
	}
	go func() {
		for s := range signals {
			syscall.Kill(child, s.(syscall.Signal))
		}
	}()
	go waitForApp(func() bool { return listens(args.port) }, time.Second*30, complain)
	return reap(child)
}

// environment replaces what the bridge sets and keeps the rest.
func environment(old []string) []string {
	out := make([]string, 0, len(old)+len(proxyEnv))
	for _, entry := range old {
		name, _, _ := strings.Cut(entry, "=")
		if name != "http_proxy" && name != "HTTP_PROXY" && name != "no_proxy" {
			out = append(out, entry)
		}
	}
	return append(out, proxyEnv...)
}

// reap waits for the child. As process 1 of the grain it also collects whatever
// the app left behind, or the process table would fill.
func reap(child int) int {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			complain("cannot wait for the app: " + err.Error())
			return 1
		case pid != child:
		case status.Signaled():
			complain("the app was ended by signal " + strconv.Itoa(int(status.Signal())) + " (" + status.Signal().String() + ")")
			return 128 + int(status.Signal())
		case status.Exited():
			if status.ExitStatus() != 0 {
				complain("the app ended with exit status " + strconv.Itoa(status.ExitStatus()))
			}
			return status.ExitStatus()
		}
	}
}

// waitForApp returns when the app listens, and says once if that takes long.
func waitForApp(listens func() bool, patience time.Duration, say func(string)) {
	began, said := time.Now(), false
	for !listens() {
		if !said && time.Since(began) >= patience {
			said = true
			say("after " + patience.String() + " the app still does not listen on its port; waiting on")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if said {
		say("the app listens now")
	}
}

// listens tells whether something accepts connections on 127.0.0.1:port.
func listens(port int) bool {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	// An app whose queue is full neither accepts nor refuses.
	syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &syscall.Timeval{Sec: 1})
	return syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}) == nil
}
