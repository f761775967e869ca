// Command probe is an app for tests: it tells everything that it received and
// saw of its sandbox, and misbehaves on request in every way that a hostile
// app would. It is never installed for people. README.md lists its addresses.
package main

import (
	"crypto/rand"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"path"
	"time"
)

func main() {
	address := flag.String("listen", "127.0.0.1:8000", "address to listen on")
	data := flag.String("data", "/var", "directory for /write, /read and /dav/")
	flag.Parse()
	log.SetFlags(0)
	if err := serve(*address, *data); err != nil {
		log.Print("probe: ", err)
		os.Exit(1)
	}
}

func serve(address, data string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	log.Print("probe: listening")
	server := &http.Server{
		Handler:           newHandler(data),
		ConnContext:       rememberConn,
		ReadHeaderTimeout: time.Minute,
		MaxHeaderBytes:    4 << 20, // it is the gateway's limit that tests want to see
	}
	return server.Serve(recordingListener{listener})
}

// run names this start of the app: it changes when the grain restarts.
var run = rand.Text()

// newHandler is all of the app's addresses; data is where files are kept.
func newHandler(data string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", echo)
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/env", environment)
	mux.HandleFunc("/stat", stat)
	mux.HandleFunc("/syscall", systemCall)
	mux.HandleFunc("/dial", dial)
	mux.HandleFunc("/listen", listen)
	mux.HandleFunc("/exec", execute)

	mux.HandleFunc("/status/{code}", status)
	mux.HandleFunc("/headers", headers)
	mux.HandleFunc("/cookie", cookie)
	mux.HandleFunc("/redirect", redirect)
	mux.HandleFunc("/etag", entityTag)
	mux.HandleFunc("/raw", raw)
	mux.HandleFunc("/size", size)
	mux.HandleFunc("/stream", stream)
	mux.HandleFunc("/partial", partial)
	mux.HandleFunc("/early", early)
	mux.HandleFunc("/sleep", sleep)
	mux.HandleFunc("/ws", socket)
	mux.HandleFunc("/page", page)

	mux.HandleFunc("/crash", crash)
	mux.HandleFunc("/log", writeLog)
	mux.HandleFunc("/memory", memory)

	f := files{data}
	mux.HandleFunc("/write", f.write)
	mux.HandleFunc("/read", f.read)
	mux.HandleFunc("/remove", f.remove)
	mux.Handle("/dav/", f.dav())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux would redirect what it finds untidy; tests want to see it.
		if p := path.Clean(r.URL.Path); r.URL.Path != p && r.URL.Path != p+"/" {
			echo(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
