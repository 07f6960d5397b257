// plan.h: what is planned for the calls of this process.
#ifndef KAAL_INJECT_PLAN_H
#define KAAL_INJECT_PLAN_H

namespace injection {

// From whose code a call comes.
enum class Module { kOurs, kNode, kOther };

// What the environment of a program has to hold for this library to be in it, too; empty where it is not in this one.
extern char preload[512];
extern char inject[512];

// A process of that id marks the beginning or the end of what is meant.
void Mark(long process);

// Whether a watch of that descriptor is to be made, but never to be told of: it is a pidfd, and that is planned.
bool IsDeafTo(int fd);

// One call of the C library, from before it until after it; without a name none that is counted.
class Call {
 public:
  Call(const char* name, const void* from, Module wanted = Module::kOurs);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();

  int error = 0;  // with which it fails

 private:
  bool halt_after_ = false;
};

}  // namespace injection

#endif  // KAAL_INJECT_PLAN_H
