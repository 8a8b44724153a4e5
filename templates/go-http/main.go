// {{ name }}: a component. What it does is in the packages export_…, one for each interface that wit/world.wit exports.
package main

import _ "{{ name }}/gen/wit_exports"

func main() {}
