package main

import (
	"os"
	"strings"
	"syscall"
)

// start runs a command as execvp(3) would: a name without a slash is looked up
// in PATH, and a script without "#!" is given to the shell.
func start(command, env []string) (pid int, err error) {
	attr := &syscall.ProcAttr{Env: env, Files: []uintptr{0, 1, 2}}
	var denied error
	for _, path := range candidates(command[0], os.Getenv("PATH")) {
		pid, err = syscall.ForkExec(path, command, attr)
		if err == syscall.ENOEXEC {
			pid, err = syscall.ForkExec("/bin/sh", append([]string{"sh", path}, command[1:]...), attr)
		}
		switch err {
		case syscall.ENOENT, syscall.ENOTDIR:
		case syscall.EACCES:
			denied = err // as there may be another one further down the PATH
		default:
			return pid, err
		}
	}
	if denied != nil {
		return 0, denied
	}
	return 0, syscall.ENOENT
}

// candidates are the paths at which a command may lie.
func candidates(name, path string) []string {
	if strings.Contains(name, "/") || name == "" {
		return []string{name}
	}
	if path == "" {
		path = "/bin:/usr/bin" // what the C library assumes
	}
	var out []string
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		out = append(out, dir+"/"+name)
	}
	return out
}
