// The app of the host process's tests: a program that does what its first
// argument says, so that one package shows all ways in which apps behave.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	switch arg(1) {
	case "serve":
		serve(arg(2))
	case "exit":
		fmt.Println("about to exit")
		n, _ := strconv.Atoi(arg(2))
		os.Exit(n)
	case "crash":
		crash()
	case "sleep":
		time.Sleep(time.Hour)
	default:
		fmt.Println("what?")
		os.Exit(99)
	}
}

func arg(n int) string {
	if n < len(os.Args) {
		return os.Args[n]
	}
	return ""
}

// crash dies by a signal, which the Go runtime would otherwise catch.
func crash() {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// serve answers one line per connection with one line.
func serve(port string) {
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("serving")
	for {
		conn, err := l.Accept()
		if err != nil {
			os.Exit(2)
		}
		go answer(conn)
	}
}

func answer(conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	f := strings.Fields(line)
	if len(f) == 0 {
		return
	}
	n := 0
	if len(f) > 1 {
		n, _ = strconv.Atoi(f[1])
	}
	switch f[0] {
	case "log": // n bytes in lines of 64
		row := strings.Repeat("x", 63) + "\n"
		for written := 0; written < n; written += len(row) {
			_, _ = os.Stdout.WriteString(row)
		}
		fmt.Fprintln(conn, "logged")
	case "say":
		_, _ = os.Stdout.WriteString(strings.TrimPrefix(line, "say "))
		fmt.Fprintln(conn, "said")
	case "write":
		fmt.Fprintln(conn, os.WriteFile("/var/file", make([]byte, n), 0o600))
	case "exit":
		os.Exit(n)
	case "crash":
		crash()
	case "ids":
		fmt.Fprintln(conn, os.Getuid(), os.Getgid(), os.Getpid(), strings.Join(os.Environ(), " "))
	case "read": // the first line of a file
		text, err := os.ReadFile(f[1])
		first, _, _ := strings.Cut(string(text), "\n")
		fmt.Fprintln(conn, first, err)
	case "append":
		file, err := os.OpenFile(f[1], os.O_WRONLY|os.O_APPEND, 0)
		fmt.Fprintln(conn, err)
		_ = file.Close()
	case "names":
		list, err := os.ReadDir(f[1])
		names := []string{}
		for _, e := range list {
			names = append(names, e.Name())
		}
		fmt.Fprintln(conn, strings.Join(names, " "), err)
	case "list":
		list, err := os.ReadDir(f[1])
		fmt.Fprintln(conn, len(list), err)
	case "echo":
		_, _ = io.Copy(conn, strings.NewReader(line))
	}
}
