// Command empty is the least that a Go binary weighs.
package main

func main() {}
