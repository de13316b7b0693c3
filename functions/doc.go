// Package functions holds nothing but its folders: a main package for each Lambda
// function of template.yaml, which is wiring of internal/app.
package functions
