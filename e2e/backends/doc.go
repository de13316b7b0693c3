// Package backends starts what the functions call, on this machine: DynamoDB Local
// with the tables, moto's Secrets Manager with the keys, the simulator in the place
// of the models and made-up venues. A function needs no more than the environment
// that it gives, whether it runs as a process or in a container.
//
// For tests and for trying the stack without an account. Nothing is kept: all of it
// is gone with Close.
package backends
