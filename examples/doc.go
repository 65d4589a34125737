// Package examples holds the operations of the main jobs with the replies they
// get, and snippets of clients that heed what a reply says. Its tests send
// every operation to a real server, so that what stands here is what happens.
package examples
