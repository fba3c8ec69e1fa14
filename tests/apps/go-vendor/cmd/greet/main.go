package main

import (
	"fmt"

	"example.com/vendored/greeting"
)

func main() {
	fmt.Println("From a command:", greeting.Text())
}
