//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
)

// runApp is the trivial app: the least that speaks HTTP/1.1 with kept-alive
// connections, so that it is never what limits.
func runApp() error {
	l, err := net.Listen("tcp", os.Args[2])
	if err != nil {
		return err
	}
	response := func(size int) []byte {
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", size)
		return append([]byte(head), bytes.Repeat([]byte("x"), size)...)
	}
	small, large := response(1<<10), response(10<<20)
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go answer(c, small, large)
	}
}

func answer(c net.Conn, small, large []byte) {
	defer c.Close()
	buf := make([]byte, 16<<10)
	n := 0
	for {
		m, err := c.Read(buf[n:])
		if err != nil {
			return
		}
		n += m
		if !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			continue
		}
		body := small
		if bytes.HasPrefix(buf[:n], []byte("GET /10m")) {
			body = large
		}
		if _, err := c.Write(body); err != nil {
			return
		}
		n = 0
	}
}
