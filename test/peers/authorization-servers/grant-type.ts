import type { SeenRequest } from '../faults/faults.ts';

export function isRefresh(request: SeenRequest): boolean {
  return request.method === 'POST' && /(^|&)grant_type=refresh_token(&|$)/.test(request.body);
}

export function isExchange(request: SeenRequest): boolean {
  return request.method === 'POST' && /(^|&)grant_type=authorization_code(&|$)/.test(request.body);
}
