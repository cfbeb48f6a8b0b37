import { answerQuestions } from './answering-process';
import type { ObserverQuestion } from './observer-messages';
import { ObserverSet } from './observer-set';

let observers: ObserverSet | undefined;

answerQuestions<ObserverQuestion>(async (question) => {
  if (question.kind === 'prepare') {
    observers = new ObserverSet(question.options);
    return undefined;
  }
  switch (question.kind) {
    case 'read':
      return observers?.read(question.times);
    case 'register':
      return observers?.register();
    case 'expect':
      return observers?.expect(question.payload);
    case 'outcome':
      return observers?.outcome();
  }
});
