package trial

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// listening lists the TCP ports on which something listens in the network of a
// process, as "port 3000".
func listening(pid int) []string {
	var ports []int
	for _, table := range []string{"tcp", "tcp6"} {
		f, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue
		}
		ports = append(ports, listeners(io.LimitReader(f, 1<<20))...)
		f.Close()
	}
	slices.Sort(ports)
	var out []string
	for _, port := range slices.Compact(ports) {
		out = append(out, "port "+strconv.Itoa(port))
	}
	return out
}

// listeners reads the kernel's table of TCP sockets: a line of titles, then
// lines that begin with a number, the local address and the remote one as
// hexadecimal ADDRESS:PORT, and the state, 0A for a socket that listens.
func listeners(table io.Reader) []int {
	var ports []int
	for lines := bufio.NewScanner(table); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || fields[3] != "0A" {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		if port, err := strconv.ParseUint(hex, 16, 16); err == nil {
			ports = append(ports, int(port))
		}
	}
	return ports
}
