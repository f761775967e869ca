// An app for the tests of trials: it does what its arguments say.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	fmt.Println("app:", os.Args[1:])
	switch os.Args[1] {
	case "serve":
		serve(os.Args[2])
	case "exit":
		code, _ := strconv.Atoi(os.Args[2])
		fmt.Println("this is the last line")
		os.Exit(code)
	case "silent":
		time.Sleep(time.Hour)
	case "garbage":
		l, err := net.Listen("tcp", "127.0.0.1:"+os.Args[2])
		for err == nil {
			var c net.Conn
			if c, err = l.Accept(); err == nil {
				fmt.Fprintln(c, "no HTTP at all")
				c.Close()
			}
		}
	case "status":
		code, _ := strconv.Atoi(os.Args[3])
		http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
		listen(os.Args[2])
	case "crash":
		http.HandleFunc("/", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
		listen(os.Args[2])
	}
}

// serve serves /www, and reads one file more if it is not new.
func serve(port string) {
	if _, err := os.Stat("/var/old"); err == nil {
		_, _ = os.ReadFile("/data/continued")
	} else {
		_, _ = os.ReadFile("/data/first")
		if err := os.Mkdir("/var/old", 0o000); err != nil {
			fmt.Println(err)
		}
	}
	files := http.FileServer(http.Dir("/www"))
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/":
			http.Redirect(w, r, "/home/", http.StatusFound)
		case r.Header.Get("X-Sandstorm-Permissions") != "admin,edit" || r.Header.Get("X-Sandstorm-User-Id") == "":
			w.WriteHeader(http.StatusForbidden)
		default:
			files.ServeHTTP(w, r)
		}
	})
	listen(port)
}

func listen(port string) {
	fmt.Println(http.ListenAndServe("127.0.0.1:"+port, nil))
	os.Exit(1)
}
