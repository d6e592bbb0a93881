// The engine as one module for programs in Swift: `import StackRec`.
@_exported import Datasets
@_exported import Evaluation
@_exported import Growth
@_exported import Kernels
@_exported import Layers
@_exported import ModelFiles
@_exported import Models
@_exported import Training
