// Answers with a word of a module that comes along in vendor/.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"example.com/vendored/greeting"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, greeting.Text())
	})
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
