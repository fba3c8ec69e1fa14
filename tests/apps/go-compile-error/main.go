package main

import "fmt"

func main() {
	greeting := "Hello"
	fmt.Println(greting)
}
