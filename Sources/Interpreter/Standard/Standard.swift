extension Builtin {
  /// What every program of the language can use: a list for each subject, each in the file of its name.
  public static let standard = lists + grouping + records + maths + statistics + texts + dates + files
}
