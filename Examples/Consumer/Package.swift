// swift-tools-version: 6.1
import PackageDescription

// A package of someone else that uses the engine. `scripts/consumer` builds and runs it against a tagged clone; in your own
// package write `.package(url: "…", from: "0.2.0")`.
let stackRec: Package.Dependency =
  Context.environment["STACKREC_URL"].map { .package(url: $0, from: "0.2.0") } ?? .package(name: "StackRec", path: "../..")

let package = Package(
  name: "consumer",
  dependencies: [stackRec],
  targets: [
    .executableTarget(
      name: "consumer", dependencies: [.product(name: "StackRec", package: Context.environment["STACKREC_NAME"] ?? "StackRec")])
  ],
  swiftLanguageModes: [.v6]
)
