package main

func Example() {
	main()
	// Output: 2 items, on the disks of both devices
}
