#ifndef SRS_CEDITLINE_H
#define SRS_CEDITLINE_H
#endif
