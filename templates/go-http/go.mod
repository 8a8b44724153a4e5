module {{ name }}

go 1.25

require go.bytecodealliance.org/pkg v0.2.2

// The bindings bring the library that they call.
replace go.bytecodealliance.org/pkg => ./gen/runtime
