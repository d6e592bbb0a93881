// swift-tools-version: 6.1
import Foundation
import PackageDescription

// docs/architecture.md lists the targets and what each may import; `ArrowsTests` compares this file and every `import`
// with that table.
let package = Package(
  name: "StackRec",
  products: [
    .executable(name: "srs", targets: ["srs"]),
    // The engine, for programs in Swift: Examples/StackInSwift and Examples/Consumer.
    .library(name: "StackRec", targets: ["StackRec"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    // C and C++ shims. Each is imported by one target only.
    .target(name: "CBLAS", linkerSettings: [.linkedLibrary("openblas")]),
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
    .target(name: "CMarkdown", linkerSettings: [.linkedLibrary("cmark")]),
    .target(name: "CDownloads", linkerSettings: [.linkedLibrary("md")]),
    .target(name: "CArchive"),
    .target(name: "CFiles"),
    .target(name: "CEditline", linkerSettings: [.linkedLibrary("edit")]),
    .target(
      name: "CGnuplot",
      linkerSettings: [.linkedLibrary("stdc++"), .linkedLibrary("boost_iostreams")]),

    // Functions shared by engine and language; depends on neither.
    .target(name: "Basics"),

    // The engine; does not depend on the language.
    .target(name: "Kernels", dependencies: ["CBLAS", "CKernels"]),
    .target(name: "Layers", dependencies: ["Kernels"]),
    .target(name: "Growth", dependencies: ["Layers", "Kernels"]),
    .target(name: "Models", dependencies: ["Layers", "Kernels"]),
    .target(name: "Archives", dependencies: ["CArchive"]),
    .target(name: "Datasets", dependencies: ["CZlib", "Archives", "Kernels"]),
    .target(name: "Evaluation", dependencies: ["Layers", "Datasets", "Kernels", "Basics"]),
    .target(name: "ModelFiles", dependencies: ["Layers", "Models", "Datasets", "Kernels"]),
    .target(name: "Training", dependencies: ["Layers", "Growth", "Datasets", "Evaluation", "ModelFiles", "Kernels", "Basics"]),
    .target(
      name: "StackRec",
      dependencies: ["Kernels", "Layers", "Growth", "Models", "Datasets", "Evaluation", "ModelFiles", "Training"]),
    .target(name: "Files", dependencies: ["CFiles"]),
    .target(name: "Plotting", dependencies: ["CGnuplot", "Files"]),
    .target(name: "RunStore", dependencies: [.product(name: "GRDB", package: "GRDB.swift")]),

    .target(name: "Downloads", dependencies: ["CDownloads", "Archives"]),

    .target(name: "Benchmarking", dependencies: ["Kernels", "Layers", "Models", "Datasets", "Evaluation", "Training", "Basics"]),

    // The language; does not depend on the engine.
    .target(name: "Syntax"),
    .target(name: "Interpreter", dependencies: ["Syntax", "Files", "Basics"]),
    .target(name: "Terminal", dependencies: ["Interpreter", "Syntax", "CEditline"]),
    .target(name: "Notebooks", dependencies: ["Interpreter", "Syntax", "Files", "Basics", "CMarkdown"]),

    // The bridge between language and engine, and the program.
    .target(
      name: "Builtins",
      dependencies: [
        "Interpreter", "Syntax", "Kernels", "Layers", "Growth", "Models", "Datasets", "Evaluation", "ModelFiles", "Training",
        "Plotting", "RunStore", "Downloads", "Basics",
      ]),
    .executableTarget(
      name: "srs",
      dependencies: [
        "Builtins", "Benchmarking", "RunStore", "Notebooks", "Terminal", "Interpreter", "Syntax", "Files",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),

    .executableTarget(
      // Includes the modules that StackRec re-exports, because SwiftPM rebuilds a target only if a named dependency changes.
      name: "stack-in-swift",
      dependencies: ["StackRec", "Kernels", "Layers", "Growth", "Models", "Datasets", "Evaluation", "ModelFiles", "Training"],
      path: "Examples/StackInSwift"),

    .testTarget(
      name: "EngineTests",
      dependencies: [
        "Basics", "CKernels", "Kernels", "Layers", "Growth", "Models", "Datasets", "Evaluation", "ModelFiles", "Training", "Plotting",
        "RunStore",
        "Downloads", "Files",
      ]),
    .testTarget(
      name: "LanguageTests", dependencies: ["Syntax", "Interpreter", "Builtins", "Terminal", "Notebooks", "Layers", "Models"],
      exclude: ["Scripts"]),
    .testTarget(
      name: "ProgramTests", dependencies: ["srs", "stack-in-swift", "Models", .product(name: "GRDB", package: "GRDB.swift")]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11,
  cxxLanguageStandard: .cxx17
)

// The fuzzer is built only by scripts/fuzz.
if ProcessInfo.processInfo.environment["SRS_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz",
      dependencies: ["Builtins", "Datasets", "Interpreter", "Kernels", "ModelFiles", "Models", "Plotting", "Syntax", "Training"],
      path: "Tests/Fuzz",
      exclude: ["corpus"], swiftSettings: [.unsafeFlags(["-parse-as-library"])],
      linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
}
