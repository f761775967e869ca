// Package stage makes tiny static Linux programs out of lists of system calls.
//
// A stage is what runs between the host process and an app: an ELF executable
// of a few hundred bytes of machine code that walks through a table of system
// calls, stops at the first one that fails and reports which it was. Go writes
// the table; nothing of Go's runtime runs in the new process. That makes a
// start cheap (no runtime to initialise, one page of memory afterwards) and
// keeps the list of steps readable and testable as data.
//
// The same code is grain-init, the first process of a grain: its last two
// steps are Spawn, which starts the app, and Reap, which waits for ever.
package stage

import (
	"encoding/binary"
	"errors"
)

// base is where a program lies in the stage's memory. It is fixed so that
// pointers inside the program are known when it is written, and low enough to
// be clear of everything that the kernel places at random.
const base = 0x10000000

// mapLen is how much address space the stage maps for its program, and so the
// longest program in bytes. It must hold the largest argv and environment.
const mapLen = 4 << 20

// A record is one system call: number, step and flags, six arguments, and the
// address where its result goes, or 0.
const (
	headerLen  = 64
	recordLen  = 64
	dataOff    = 16 << 10 // where strings and structures begin
	maxRecords = (dataOff - headerLen) / recordLen

	offFlags = 4
	offArgs  = 8
	offOut   = 56
)

// Flags of a record, next to the 16 bits of its step. stage_amd64.s knows them.
const (
	flagIgnore   = 1 << (16 + iota) // go on if the call fails
	flagSpawn                       // not a call: start the app
	flagReap                        // not a call: wait for children until the app ends
	flagIndirect                    // the first argument is the address of its value
)

// Report is what a stage writes to its status descriptor: 8 bytes.
const ReportLen = 8

// Steps of a Report that are not steps of the program.
const (
	// StepStarted says that Spawn succeeded: the app's execve has happened.
	StepStarted = 0xffff
	// StepEnded carries the wait status of the app.
	StepEnded = 0xfffe
)

// ErrTooLong is the error of Encode for a program of more than 255 calls or
// 4 MiB of data.
var ErrTooLong = errors.New("stage program too long")

// Program is a list of system calls under construction.
type Program struct {
	image []byte // header, records, data from dataOff on
	steps []string
}

// New starts a program that reports to the descriptor status.
func New(status int) *Program {
	const usual = 8 << 10 // of data: the filter and a few names
	p := &Program{image: make([]byte, dataOff, dataOff+usual), steps: make([]string, 0, maxRecords)}
	binary.LittleEndian.PutUint64(p.image, uint64(status))
	return p
}

// Call adds a system call that must succeed. The step names it in reports.
func (p *Program) Call(step string, nr uintptr, args ...uint64) {
	p.record(step, nr, 0, 0, args)
}

// Try adds a system call whose failure does not matter.
func (p *Program) Try(nr uintptr, args ...uint64) {
	p.record("", nr, flagIgnore, 0, args)
}

// A Slot is a place for the result of one call that is an argument of others.
type Slot uint64

// CallTo adds a system call that must succeed and keeps its result.
func (p *Program) CallTo(step string, nr uintptr, args ...uint64) Slot {
	slot := p.Bytes(make([]byte, 8))
	p.record(step, nr, 0, slot, args)
	return Slot(slot)
}

// CallOn adds a system call that must succeed and whose first argument is the
// result of an earlier one.
func (p *Program) CallOn(first Slot, step string, nr uintptr, args ...uint64) {
	p.record(step, nr, flagIndirect, 0, append([]uint64{uint64(first)}, args...))
}

// CallOnTo is CallOn for a call whose result is kept.
func (p *Program) CallOnTo(first Slot, step string, nr uintptr, args ...uint64) Slot {
	slot := p.Bytes(make([]byte, 8))
	p.record(step, nr, flagIndirect, slot, append([]uint64{uint64(first)}, args...))
	return Slot(slot)
}

// Spawn adds the start of the app: a child that executes file, not searched in
// any path, with exactly these arguments and this environment.
func (p *Program) Spawn(step, file string, argv, env []string) {
	list := p.Strings(argv)
	p.record(step, 0, flagSpawn, 0, []uint64{p.String(file), list, p.Strings(env)})
}

// Reap adds the end of a first process: it gives back the program's memory,
// reports StepStarted, collects children until the app that Spawn started
// ends, reports its wait status and exits with its code, or with 128 plus the
// number of the signal.
func (p *Program) Reap() { p.record("", 0, flagReap, 0, nil) }

// String places s, terminated by a zero byte, and returns its address.
func (p *Program) String(s string) uint64 {
	addr := p.addr()
	p.image = append(append(p.image, s...), 0)
	return addr
}

// Bytes places b at a multiple of 8 and returns its address.
func (p *Program) Bytes(b []byte) uint64 {
	p.align()
	addr := p.addr()
	p.image = append(p.image, b...)
	return addr
}

// Strings places an array of pointers to strings, ended by a null pointer.
func (p *Program) Strings(list []string) uint64 {
	ptrs := make([]byte, 0, 8*(len(list)+1))
	for _, s := range list {
		ptrs = binary.LittleEndian.AppendUint64(ptrs, p.String(s))
	}
	return p.Bytes(binary.LittleEndian.AppendUint64(ptrs, 0))
}

// Step is the name of a step in a report, or "" if there is none of that number.
func (p *Program) Step(n uint32) string {
	if int64(n) < int64(len(p.steps)) {
		return p.steps[n]
	}
	return ""
}

// Encode returns the program as the stage reads it from the descriptor that
// its only argument names (Argument), or as Image embeds it. It is valid until
// the program is changed.
func (p *Program) Encode() ([]byte, error) {
	if len(p.steps) > maxRecords || len(p.image) > mapLen {
		return nil, ErrTooLong
	}
	return p.image, nil
}

// Argument is the argument that tells a stage which descriptor holds its
// program; fd is from 0 to 74, so that it is one printable character.
func Argument(fd int) string { return string(rune('0' + fd)) }

func (p *Program) record(step string, nr uintptr, flags uint32, out uint64, args []uint64) {
	n := len(p.steps)
	p.steps = append(p.steps, step)
	if n >= maxRecords {
		return // Encode will fail
	}
	r := p.image[headerLen+n*recordLen:][:recordLen]
	binary.LittleEndian.PutUint32(r, uint32(nr))
	binary.LittleEndian.PutUint32(r[offFlags:], flags|uint32(n))
	for i, a := range args {
		binary.LittleEndian.PutUint64(r[offArgs+8*i:], a)
	}
	binary.LittleEndian.PutUint64(r[offOut:], out)
}

func (p *Program) addr() uint64 { return base + uint64(len(p.image)) }

func (p *Program) align() {
	for len(p.image)%8 != 0 {
		p.image = append(p.image, 0)
	}
}
