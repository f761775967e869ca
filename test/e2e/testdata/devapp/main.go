// An app for tests of development: it shows a file of its package, and counts
// in its storage how often it was started.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	starts, _ := os.ReadFile("/var/starts")
	starts = append(starts, '.')
	if err := os.WriteFile("/var/starts", starts, 0o600); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		says, err := os.ReadFile("/says")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!DOCTYPE html><p id=says>%s, start %d, with %s</p>", says, len(starts), r.Header.Get("X-Sandstorm-Permissions"))
	})
	fmt.Println(http.ListenAndServe("127.0.0.1:8000", nil))
	os.Exit(1)
}
