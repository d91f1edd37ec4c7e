/* What every assembly file here begins with: functions for ELF and for Apple's linker, hidden from other libraries.
 *
 * Every function is a leaf: it takes its arguments in x0 to x7 and leaves x18 to x30 and v8 to v15 alone.
 */
#if defined(__APPLE__)

.macro function name
    .text
    .p2align 4
    .globl _\name
    .private_extern _\name
_\name:
    hint #34 // bti c
.endm

.macro endfunction name
.endm

#else

.macro function name
    .text
    .p2align 4
    .globl \name
    .hidden \name
    .type \name, %function
\name:
    hint #34 // bti c
.endm

.macro endfunction name
    .size \name, . - \name
.endm

    // BTI and pointer authentication: entries are marked, and no return address is ever stored.
    .pushsection .note.gnu.property, "a", %note
    .p2align 3
    .word 4, 16, 5
    .asciz "GNU"
    .word 0xc0000000, 4, 3, 0
    .popsection

#endif
