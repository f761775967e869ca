// Command probe runs inside a grain and tells what it sees there.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	switch os.Args[1] {
	case "look":
		print(look())
	case "attack":
		print(attack())
	case "bomb":
		print(bomb())
		if len(os.Args) > 2 {
			time.Sleep(time.Hour)
		}
	case "limits":
		print(limits())
	case "try":
		print(try())
	case "serve":
		serve(os.Args[2])
	case "late":
		time.Sleep(150 * time.Millisecond)
		serve(os.Args[2])
	case "exit":
		n, _ := strconv.Atoi(os.Args[2])
		os.Exit(n)
	case "signal":
		n, _ := strconv.Atoi(os.Args[2])
		_ = unix.Kill(unix.Getpid(), unix.Signal(n))
		select {}
	case "orphan":
		orphan()
	case "sleep":
		fmt.Println("sleeping")
		time.Sleep(time.Hour)
	case "echo3":
		f := os.NewFile(3, "api")
		_, _ = io.Copy(f, f)
	case "connect":
		connect(os.Args[2])
	}
}

func print(v any) {
	_ = json.NewEncoder(os.Stdout).Encode(v)
}

// serve answers each connection with what it reads.
func serve(port string) {
	l, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
	}
}

// orphan leaves a process behind that outlives its parent, tells its id by a
// file, and ends when told so by another.
func orphan() {
	cmd := exec.Command("/probe", "sleep")
	cmd.Stdout = os.Stdout
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	time.Sleep(50 * time.Millisecond)
	os.Exit(9)
}

func connect(port string) {
	c, err := net.Dial("tcp4", "127.0.0.1:"+port)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_, _ = io.WriteString(c, "from inside")
	_ = c.Close()
}
