// Package schematest holds the migration tests that the authors of an application run at every release. They find a released version that was
// changed by mistake, a lens that loses or fails, and documents of released versions that read differently now, before users do.
//
//	func TestSchema(t *testing.T) {
//		schematest.Run(t, issues.Schema, schematest.Options{
//			Samples: map[string][]any{"fullName": {"Ann Quinn", "Cher", ""}},
//		})
//	}
//
// What it does:
//
//   - [Locked] compares each version with what was written down when it was released. Released versions never change.
//   - [Laws] tries the functions of every lens: they must be pure and total, and a warning says where a value does not come back.
//   - [Fixtures] reads documents that released versions wrote, as every version, and edits them. [Record] writes such a document.
//   - [Fleet] lets devices with different versions edit one document apart and together, and knows from who had seen what which values
//     must be there in the end.
//   - [Failures] makes every function of every step fail, and demands that nothing is written.
//
// Run the tests with -update once per release: this writes down new versions, and never rewrites a released one. A failure of the fleet prints its
// seed and the shortest history that still fails; -seeds N and -from N choose which seeds run. Tests that have a flag of one of these names themselves
// take the one that is there (flag.Lookup).
//
// [Random] is a random schema with a history of steps, for testing package schema itself.
package schematest
