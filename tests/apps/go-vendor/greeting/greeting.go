// Package greeting is what both commands share.
package greeting

import "github.com/google/shlex"

// Text is a sentence, split as a shell would.
func Text() string {
	words, _ := shlex.Split(`Hello "from vendor/"`)
	return words[0] + " " + words[1]
}
