// Command rest is the least that one can see start and rest: it prints a line and waits.
package main

import (
	"syscall"
	"time"
)

func main() {
	syscall.Write(1, []byte("* nothing\n"))
	time.Sleep(1<<63 - 1)
}
