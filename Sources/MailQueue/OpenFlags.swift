#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

let openReadOnly = O_RDONLY
let openNew = O_WRONLY | O_CREAT | O_EXCL
let openAppend = O_RDWR | O_APPEND
